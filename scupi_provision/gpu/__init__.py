"""What runs on the GPU node with the environment's own python."""
