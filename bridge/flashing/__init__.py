"""What flashing is made of: esptool's process, the flash's layout, the start of the firmware. See `bridge.flash`."""
