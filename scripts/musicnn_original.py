"""The published MusiCNN program as a server process: for the Python in which it is installed.

    pip install --no-deps musicnn==0.1.0
    pip install librosa tensorflow-cpu tf-keras

Its argument is the name of a model. Each line of input is the path of a song, and each line of
output the mean scores of the song's patches, or the word ready. The computation is the program's
own, except that the network is built once and gets all patches of a song at once, and that the mel
power stays in single precision: the program's half precision overflows for loud music.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # the program is older than Keras 3

FRAMES = 187
"""STFT frames in a patch of 3 s."""


def main(name: str) -> None:
    """Build the network, and answer until the end of the input."""
    import librosa
    import numpy as np
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    import musicnn
    from musicnn import configuration, models

    x = tf.compat.v1.placeholder(tf.float32, [None, FRAMES, configuration.N_MELS])
    training = tf.compat.v1.placeholder(tf.bool)
    with tf.name_scope("model"):
        logits = models.define_model(x, training, name, 50)[0]
    scores = tf.nn.sigmoid(logits)
    session = tf.compat.v1.Session()
    folder = os.path.join(os.path.dirname(musicnn.__file__), name, "")
    tf.compat.v1.train.Saver().restore(session, folder)
    print("ready", flush=True)
    for line in sys.stdin:
        wave, rate = librosa.load(line.rstrip("\n"), sr=configuration.SR)
        mel = librosa.feature.melspectrogram(
            y=wave,
            sr=rate,
            hop_length=configuration.FFT_HOP,
            n_fft=configuration.FFT_SIZE,
            n_mels=configuration.N_MELS,
        )
        logmel = np.log10(10_000 * mel.T + 1)
        count = len(logmel) // FRAMES
        patches = logmel[: count * FRAMES].reshape(count, FRAMES, -1)
        found = session.run(scores, {x: patches, training: False})
        print(json.dumps(np.mean(found, axis=0).tolist()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
