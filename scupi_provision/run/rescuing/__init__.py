"""What `provision rescue` is made of: ways in, looking at start-up files by trial, putting them right."""
