"""The only room that makes shell text."""
