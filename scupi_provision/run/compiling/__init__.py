"""What `provision compile` is made of: a plan without a host, and a plan as a script that needs nobody."""
