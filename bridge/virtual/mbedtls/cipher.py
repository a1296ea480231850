"""AES-GCM for tlslite-ng's records by the library cryptography: its own, in Python, does 200 KB/s."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Gcm:
    """AES-GCM with a key of 16 or 32 bytes, with the methods of tlslite's `AESGCM`.

    Args:
        key: the key.
        implementations: tlslite's list; there is only this one.
    """

    isBlockCipher = False
    isAEAD = True
    nonceLength = 12
    tagLength = 16
    implementation = "cryptography"

    def __init__(self, key: bytearray, implementations: object = None) -> None:
        self.name = f"aes{8 * len(key)}gcm"
        self._cipher = AESGCM(bytes(key))

    def seal(self, nonce: bytearray, plaintext: bytearray, data: bytearray) -> bytearray:
        """Ciphertext with its tag."""
        return bytearray(self._cipher.encrypt(bytes(nonce), bytes(plaintext), bytes(data)))

    def open(self, nonce: bytearray, ciphertext: bytearray, data: bytearray) -> bytearray | None:
        """Plaintext, or None if it is not what was sealed."""
        try:
            return bytearray(self._cipher.decrypt(bytes(nonce), bytes(ciphertext), bytes(data)))
        except InvalidTag:
            return None
