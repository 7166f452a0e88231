"""The published models that are registered with the package.

All score single frames, for tags or genres; the frame length is that of each model's training.
"""

from __future__ import annotations

from functools import partial

from genrenet.models.checkpoints.audioset import audioset_classes, audioset_genres
from genrenet.models.checkpoints.registry import PublishedModel, SourceFile
from genrenet.utils.lazy import Lazy


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


MSD_TAGS = _names(
    "rock,pop,alternative,indie,electronic,female vocalists,dance,00s,alternative rock,jazz,"
    "beautiful,metal,chillout,male vocalists,classic rock,soul,indie rock,Mellow,electronica,80s,"
    "folk,90s,chill,instrumental,punk,oldies,blues,hard rock,ambient,acoustic,experimental,"
    "female vocalist,guitar,Hip-Hop,70s,party,country,easy listening,sexy,catchy,funk,electro,"
    "heavy metal,Progressive rock,60s,rnb,indie pop,sad,House,happy"
)
"""The 50 tags of the Million Song Dataset's most-used split, in order of the outputs."""

MTT_TAGS = _names(
    "guitar,classical,slow,techno,strings,drums,electronic,rock,fast,piano,ambient,beat,violin,"
    "vocal,synth,female,indian,opera,male,singing,vocals,no vocals,harpsichord,loud,quiet,flute,"
    "woman,male vocal,no vocal,pop,soft,sitar,solo,man,classic,choir,voice,new age,dance,"
    "male voice,female vocal,beats,harp,cello,no voice,weird,country,metal,female voice,"
    "choral"
)
"""The 50 most-used tags of MagnaTagATune, in order of the outputs."""

GTZAN_GENRES = _names("blues,classical,country,disco,hiphop,jazz,metal,pop,reggae,rock")


CHOI = "https://raw.githubusercontent.com/keunwoochoi/music-auto_tagging-keras/master/data/"
EFFICIENTAT = "https://github.com/fschmid56/EfficientAT/releases/download/v0.0.1/"
JIMENEZ = (
    "https://raw.githubusercontent.com/jsalbert/Music-Genre-Classification-with-Deep-Learning/"
    "master/models_trained/example_model/weights/"
)


_NETWORKS = "genrenet.models.networks"
_CRNN = Lazy(_NETWORKS, "CRNN")
_TAGGERS = "genrenet.models.checkpoints.convert.taggers"
_keras = Lazy(_TAGGERS, "keras_tagger")
_musicnn = Lazy(_TAGGERS, "musicnn_tagger")
_efficientat = Lazy(_TAGGERS, "efficientat_tagger")


def _pons(name: str, title: str, model: str, labels: tuple[str, ...]) -> PublishedModel:
    """Return a model of Pons and Serra; both are in one wheel, which is downloaded once."""
    return PublishedModel(
        name=name,
        title=title,
        filename="musicnn-0.1.0-py3-none-any.whl",
        sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
        size=29_292_476,
        address="https://pypi.org/project/musicnn/0.1.0/",
        licence="ISC",
        citation="Pons and Serra (2019), musicnn: pre-trained convolutional neural networks for "
        "music audio tagging",
        labels=labels,
        convert=partial(_musicnn, model=model, labels=labels),
        package="musicnn==0.1.0",
    )


def _schmid(
    number: str, precision: str, sha256: str | None = None, size: int | None = None, name: str = ""
) -> PublishedModel:
    """Return a model of Schmid et al.; ``number`` is ten times the width, ``precision`` a thousand
    times the mean average precision.
    """
    filename, width, genres = f"mn{number}_as_mAP_{precision}.pt", int(number) / 10, bool(name)
    title = "50 genres of music" if genres else "527 classes of sound"
    return PublishedModel(
        name=name or f"efficientat-mn{number}",
        title=f"MobileNetV3 of width {width:g}, {title}, trained on AudioSet",
        filename=filename,
        sha256=sha256,
        size=size,
        address=EFFICIENTAT + filename,
        licence="MIT",
        citation="Schmid, Koutini and Widmer (2023), Efficient large-scale audio tagging via "
        "transformer-to-CNN knowledge distillation",
        labels=tuple(audioset_genres()) if genres else audioset_classes(),
        convert=partial(_efficientat, width=width, genres=genres),
    )


_MN04 = "899a8c6217063f6941793102a2780b3dd788ab11fce468d9cf5f0577c453321c", 4_066_513
"""SHA-256 and bytes; no trusted source states those of the other widths."""

PUBLISHED = (
    PublishedModel(
        name="msd-cnn",
        title="CNN, 50 tags, trained on the Million Song Dataset",
        filename="music_tagger_cnn_weights_tensorflow.h5",
        sha256="8b61b73a8065cb084a9b56e8b5421ee876f38a1aca109ec2ad336e3a17c7c421",
        size=3_523_472,
        address=CHOI + "music_tagger_cnn_weights_tensorflow.h5",
        licence="MIT",
        citation="Choi, Fazekas and Sandler (2016), Automatic tagging using deep convolutional "
        "neural networks",
        labels=MSD_TAGS,
        convert=partial(
            _keras,
            network=partial(Lazy(_NETWORKS, "CNN"), conv_dropout=0.5),
            labels=MSD_TAGS,
            spread="standard deviation",
        ),
    ),
    PublishedModel(
        name="msd-crnn",
        title="CRNN, 50 tags, trained on the Million Song Dataset",
        filename="music_tagger_crnn_weights_tensorflow.h5",
        sha256="df63638de9f3113780768181670c554f122fbd1297c63c065836d70a251115a8",
        size=1_649_464,
        address=CHOI + "music_tagger_crnn_weights_tensorflow.h5",
        licence="MIT",
        citation="Choi, Fazekas, Sandler and Cho (2017), Convolutional recurrent neural networks "
        "for music classification",
        labels=MSD_TAGS,
        convert=partial(_keras, network=_CRNN, labels=MSD_TAGS),
        alternatives=(
            SourceFile(
                filename="music_tagger_crnn_weights_theano.h5",
                sha256="783d8198417fd5d6ceee551dea5ec3e7f0210ec743af4819172b5c943044081c",
                size=1_649_664,
                address=CHOI + "music_tagger_crnn_weights_theano.h5",
                convert=partial(_keras, network=_CRNN, labels=MSD_TAGS, flipped=True),
            ),
        ),
    ),
    PublishedModel(
        name="gtzan10-crnn",
        title="CRNN, ten genres, the tagger fine-tuned to GTZAN",
        filename="crnn_net_gru_adam_ours_epoch_40.h5",
        sha256="e6d7d9aa90eef37e84f604e122a7550a881d2e927a7aa9f6308ceb6b8c2063f2",
        size=1_644_544,
        address=JIMENEZ + "crnn_net_gru_adam_ours_epoch_40.h5",
        licence="MIT",
        citation="Jiménez and José, Music Genre Classification with Deep Learning; "
        "after Choi et al. (2017)",
        labels=GTZAN_GENRES,
        convert=partial(
            _keras,
            network=_CRNN,
            labels=GTZAN_GENRES,
            activation="normalised-sigmoid",
            flipped=True,
            # Accuracy on 81 excerpts of 2-3 s: 0.62 with repetition, 0.19 with zero padding.
            fill="repeat",
        ),
    ),
    _pons(
        "musicnn-msd",
        "MusiCNN, 50 tags, trained on the Million Song Dataset",
        "MSD_musicnn",
        MSD_TAGS,
    ),
    _pons("musicnn-mtt", "MusiCNN, 50 tags, trained on MagnaTagATune", "MTT_musicnn", MTT_TAGS),
    _schmid("01", "298"),
    _schmid("02", "378"),
    _schmid("04", "432", *_MN04),
    _schmid("05", "443"),
    _schmid("10", "471"),
    _schmid("20", "478"),
    _schmid("30", "482"),
    _schmid("40", "484"),
    _schmid("04", "432", *_MN04, name="audioset-genres"),
)
"""The published models that come with the package."""
