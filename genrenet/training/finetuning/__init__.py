"""Transfer learning: a trained network with a new head, and a say in which of its stages learn.

`Pretrained` makes the network, `LayerFreezing` says what learns and when. Where the stages that
never learn are the lowest ones, their output is computed once per frame and kept: see `caching`.
"""

from genrenet.training.finetuning.errors import FinetuningError
from genrenet.training.finetuning.freezing import LayerFreezing
from genrenet.training.finetuning.pretrained import Pretrained

__all__ = ["FinetuningError", "LayerFreezing", "Pretrained"]
