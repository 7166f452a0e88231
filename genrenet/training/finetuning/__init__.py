"""Transfer learning: a pretrained network with a new head, and a choice of stages to train.

`Pretrained` builds the network, `LayerFreezing` sets which stages are trained and when. If the
stages that are never trained are the lowest ones, their output is computed once per frame and
cached: see `caching`.
"""

from genrenet.training.finetuning.errors import FinetuningError
from genrenet.training.finetuning.freezing import LayerFreezing
from genrenet.training.finetuning.pretrained import Pretrained

__all__ = ["FinetuningError", "LayerFreezing", "Pretrained"]
