"""The GPU probe: what the GPUs of this machine are, which of them is free, and whether torch computes on it.

A program of its own: the folder is copied to the GPU node and run there as `python FOLDER` by the environment's python.
So it needs the standard library (Python 3.7 and later: annotations are never evaluated), torch and the NVIDIA driver's
libraries, no more; and its modules import each other relatively, since the folder has another name there.
"""
