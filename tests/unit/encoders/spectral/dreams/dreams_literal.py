"""The published network as its description reads: slow, one spectrum at a time, the pairwise bias built in full."""

import math

import torch


def literal_embedding(state, config, precursor_mz, mz, intensity):
    """All tokens of one spectrum after the last norm, loop by loop; pairwise bias built in full."""
    tokens = [(precursor_mz, 1.1), *zip(mz, intensity, strict=True)]
    all_mz = torch.tensor([token[0] for token in tokens], dtype=torch.float32)
    values = torch.tensor([[token[0] / 1000, token[1]] for token in tokens], dtype=torch.float32)
    padded = all_mz == 0
    n, d_head = len(tokens), config.width // config.n_heads

    phase = 2 * torch.pi * all_mz[:, None] @ state["fourier_enc.b"]
    fourier = torch.cat([phase.cos(), phase.sin()], dim=1)
    for i in range(config.fourier_depth):
        fourier = torch.relu(fourier @ state[f"ff_fourier.ff.{3 * i}.weight"].T + state[f"ff_fourier.ff.{3 * i}.bias"])
    peak = torch.relu(values @ state["ff_peak.ff.0.weight"].T + state["ff_peak.ff.0.bias"])
    x = torch.cat([peak, fourier], dim=1)
    pairwise = (fourier[:, None, :] - fourier[None, :, :]).sum(-1)

    def norm(x, i):
        name = f"transformer_encoder.scales.{i}"
        centred = x - x.mean(1, keepdim=True)
        scaled = centred / torch.sqrt(x.var(1, unbiased=False, keepdim=True) + 1e-5)
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    for layer in range(config.n_layers):
        normed = norm(x, 2 * layer)
        q, k, v, o = state[f"transformer_encoder.atts.{layer}.weights"].chunk(4)
        heads = []
        for head in range(config.n_heads):
            part = slice(head * d_head, (head + 1) * d_head)
            logits = (normed @ q[part].T) @ (normed @ k[part].T).T / math.sqrt(d_head) + pairwise
            logits[padded] = -1e9
            heads.append(torch.softmax(logits, dim=1) @ (normed @ v[part].T))
        x = x + torch.cat(heads, dim=1) @ o.T
        ff = f"transformer_encoder.ffs.{layer}"
        x = x + torch.relu(norm(x, 2 * layer + 1) @ state[f"{ff}.in_proj.weight"].T) @ state[f"{ff}.out_proj.weight"].T
    assert x.shape == (n, config.width)
    return norm(x, 2 * config.n_layers)
