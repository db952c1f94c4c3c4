"""What `provision lint` says of a playbook that is not wrong: habits that make check blind or surprise somebody."""
