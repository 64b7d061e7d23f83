"""Write the weights as they ship: matrices in half precision.

ship.py MODEL.safetensors OUTPUT.safetensors
"""

import sys

from specbridge_tools.bridge.checkpoint import load_model, save_model

if __name__ == "__main__":
    save_model(load_model(sys.argv[1]), sys.argv[2], force=True, half=True)
