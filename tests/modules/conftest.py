import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # pytest imports test files one by one, without their neighbours
