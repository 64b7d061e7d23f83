"""Average the weights of models that were trained further from one and the same (Wortsman et al., arXiv 2203.05482).

average_models.py MODEL... -o OUTPUT
"""

import argparse

import torch

from specbridge_tools.bridge.checkpoint import load_model, save_model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args()
    models = [load_model(path) for path in options.models]
    states = [model.stored_state() for model in models]
    if len({str(model.config) for model in models}) > 1:
        raise SystemExit("the models are of different shapes")
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0) if tensor.is_floating_point() else tensor
        for name, tensor in states[0].items()
    }
    models[0].load_stored_state(mean)
    models[0].training_summary = models[0].training_summary | {"averaged": len(models)}
    save_model(models[0], options.output, force=True)


if __name__ == "__main__":
    main()
