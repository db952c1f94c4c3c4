"""What the modules around Python environments and pip are made of."""
