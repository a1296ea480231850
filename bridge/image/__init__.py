"""Firmware images for the ESP8266, read as plain bytes: is it one, is it whole, and which NodeMCU is in it."""

from __future__ import annotations

from bridge.image.banner import ImageFacts, find_facts
from bridge.image.boot import BootImage, Segment, read_boot
from bridge.image.check import NEEDED, Examined, check_image, examine, in_words
from bridge.image.parts import IROM_OFFSET, LARGEST, ImagePart, image_id, load_image

__all__ = [
    "IROM_OFFSET",
    "LARGEST",
    "NEEDED",
    "BootImage",
    "Examined",
    "ImageFacts",
    "ImagePart",
    "Segment",
    "check_image",
    "examine",
    "find_facts",
    "image_id",
    "in_words",
    "load_image",
    "read_boot",
]
