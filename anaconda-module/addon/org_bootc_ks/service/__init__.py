"""The D-Bus service: Anaconda's side of the add-on."""
