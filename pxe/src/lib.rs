//! The installer environment and network boot of bootc-ks. Nothing is here yet.
//!
//! It will hold
//!
//! - the installer environment: kernel and initramfs out of the image that is to be
//!   installed, with this command and the kickstart's address in it;
//! - what a network serves to boot it: iPXE and GRUB configurations, UEFI HTTP boot.
//!
//! Until then `bootc-ks install` runs in a rescue system of any kind; see docs/install.md.
