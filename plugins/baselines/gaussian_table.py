"""Gaussians as vectors whose inner products are distances.

Conventions
-----------
Rows are as in `genrenet_plugins.baselines.gaussian_rows`. The distance of two songs is
``KL(p||q) + KL(q||p)``, in nats, of d-dimensional normal distributions, where log-determinants
cancel. With means m, covariances S, precisions P = S^-1, second moments M = S + m m^T it is ::

    1/2 [tr(Pp Mq) + tr(Mp Pq) - 2 (Pp mp).mq - 2 mp.(Pq mq) + mp.Pp mp + mq.Pq mq] - d

where every term is an inner product of a function of p and a function of q. So a song is
represented by two vectors, ``left`` and ``right``, and all distances are one matrix product of
these.

Precision
---------
The distance is invariant to an affine map of all songs. They are centred at the mean of the means
and whitened by the mean covariance, which makes the terms small. If they still cancel so far that a
product could have an error above 1e-9 (relative, or absolute if the distance is below 1), that pair
is computed again from ``mp - mq``, ``Sp - Sq`` and ``Pp - Pq``, where nothing cancels.

Sources
-------
Gaussians of MFCCs: M. Mandel, D. Ellis, "Song-level features and support vector machines for music
classification", ISMIR 2005. For genres: M. Haggblade, Y. Hong, K. Kao, "Music genre
classification", Stanford CS229 2011.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ..shared import Floats, InputError, Integers, check_at_least
from .gaussian_rows import dimension, split_rows

TOLERANCE = 1e-9
BLOCK = 512
PAIRS = 4096
Sides = tuple[tuple[Floats, Floats], tuple[Floats, Floats]]


@dataclass
class GaussianTable:
    """Gaussians prepared for matrix products.

    Attributes
    ----------
    offset : ndarray of float64, shape (d,)
        Subtracted from all means.
    whitener : ndarray of float64, shape (d, d)
        Linear map that is applied then.
    diagonal : bool
        Whether only the variances count.
    columns : ndarray of float64, shape (songs, 2 d + 2 e + 1)
        Means m, precisions times means h, covariances S, precisions P, and m.h. Matrices are packed
        into e = d (d + 1) / 2 numbers (d if diagonal) so that the inner product of two of them is
        the trace of their product.
    """

    offset: Floats
    whitener: Floats
    diagonal: bool
    columns: Floats

    @classmethod
    def of(
        cls, X: ArrayLike, *, like: GaussianTable | None = None, diagonal: bool = False
    ) -> GaussianTable:
        """Prepare rows of Gaussians.

        Parameters
        ----------
        X : array_like of float, shape (songs, d + d * d), songs >= 1
        like : GaussianTable, optional
            Table they will be compared with: its offset, whitener and ``diagonal`` are used.
        diagonal : bool
            Whether only the variances count; ``like`` overrides it.

        Raises
        ------
        InputError
            See `split_rows`; or another dimension than that of ``like``.
        """
        rows = np.asarray(X, dtype=np.float64)
        if rows.ndim != 2 or not len(rows):
            raise InputError("no Gaussians", found=f"shape {rows.shape}", wanted="(songs, d + d*d)")
        d = dimension(rows.shape[1])
        if like is None:
            offset, whitener = _common(rows, diagonal)
        elif len(like.offset) == d:
            offset, whitener, diagonal = like.offset, like.whitener, like.diagonal
        else:
            wanted = str(len(like.offset))
            raise InputError("Gaussians of another dimension", found=str(d), wanted=wanted)
        packed = d if diagonal else d * (d + 1) // 2
        columns = np.empty((len(rows), 2 * d + 2 * packed + 1))
        for part in blocks(len(rows), BLOCK):
            means, covariances = split_rows(rows[part], diagonal, first=part.start)
            means = (means - offset) @ whitener.T
            covariances = whitener @ covariances @ whitener.T
            precisions = np.linalg.inv(covariances)
            pulls = (precisions @ means[:, :, None])[:, :, 0]
            matrices = [_pack(each, diagonal) for each in (covariances, precisions)]
            constants = (means * pulls).sum(axis=1, keepdims=True)
            columns[part] = np.concatenate([means, pulls, *matrices, constants], axis=1)
        return cls(offset, whitener, diagonal, columns)

    def __len__(self) -> int:
        return len(self.columns)

    def take(self, rows: Integers) -> GaussianTable:
        """Return a subset of the songs."""
        return replace(self, columns=self.columns[rows])

    def parts(self, rows: slice | Integers) -> list[Floats]:
        """Return means, pulls, covariances, precisions and constants of a subset of the songs."""
        d = len(self.offset)
        packed = (self.columns.shape[1] - 2 * d - 1) // 2
        ends = np.cumsum([d, d, packed, packed])
        return np.split(self.columns[rows], ends.tolist(), axis=1)

    def left(self, rows: slice) -> tuple[Floats, Floats]:
        """Return the vectors of shape (n, 2 d + 2 e + 2), and the norms of their parts, of shape
        (n, 6).
        """
        means, pulls, covariances, precisions, constants = self.parts(rows)
        moments = covariances + _squares(means, self.diagonal)
        one = np.ones_like(constants)
        return _measured([precisions, moments, pulls, means, constants, one])

    def right(self, rows: slice) -> tuple[Floats, Floats]:
        """Like `left`; the inner product of a left and a right vector is their songs' distance."""
        means, pulls, covariances, precisions, constants = self.parts(rows)
        moments = covariances + _squares(means, self.diagonal)
        half, rest = np.full_like(constants, 0.5), constants / 2 - len(self.offset)
        return _measured([moments / 2, precisions / 2, -means, -pulls, half, rest])


def _common(rows: Floats, diagonal: bool) -> tuple[Floats, Floats]:
    try:
        with np.errstate(all="ignore"):
            middle = rows.mean(axis=0, keepdims=True)
        means, covariances = split_rows(middle, diagonal)
    except InputError:
        split_rows(rows, diagonal)  # the error has the number of the invalid row
        raise
    return means[0], np.linalg.inv(np.linalg.cholesky(covariances[0]))


def blocks(n: int, size: int) -> Iterator[slice]:
    """Return the slices of ``size`` rows that cover ``n``."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _pack(matrices: Floats, diagonal: bool) -> Floats:
    rows, columns = _triangle(matrices.shape[-1], diagonal)
    return np.where(rows == columns, 1.0, np.sqrt(2.0)) * matrices[:, rows, columns]


def _squares(vectors: Floats, diagonal: bool) -> Floats:
    rows, columns = _triangle(vectors.shape[1], diagonal)
    scale = np.where(rows == columns, 1.0, np.sqrt(2.0))
    packed: Floats = scale * vectors[:, rows] * vectors[:, columns]
    return packed


def _triangle(d: int, diagonal: bool) -> tuple[Integers, Integers]:
    return (np.arange(d), np.arange(d)) if diagonal else np.triu_indices(d)


def _measured(parts: list[Floats]) -> tuple[Floats, Floats]:
    sizes = [np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
    return np.concatenate(parts, axis=1), np.concatenate(sizes, axis=1)


def distances_of_pairs(p: GaussianTable, i: Integers, q: GaussianTable, j: Integers) -> Floats:
    """Return the distances of the pairs (i, j), of shape (n,), from differences."""
    found = np.empty(len(i))
    for part in blocks(len(i), PAIRS):
        means_p, _, covariances_p, precisions_p, _ = p.parts(i[part])
        means_q, _, covariances_q, precisions_q, _ = q.parts(j[part])
        squares = _squares(means_p - means_q, p.diagonal)
        spread = (precisions_q - precisions_p) * (covariances_p - covariances_q)
        found[part] = (spread + (precisions_p + precisions_q) * squares).sum(axis=1) / 2
    return np.maximum(found, 0.0)


def distances_of_block(
    p: GaussianTable, rows: slice, q: GaussianTable, columns: slice, sides: Sides
) -> Floats:
    """Return the distances of a block of pairs; those where the terms cancel are computed again."""
    (left, left_sizes), (right, right_sizes) = sides
    found = left @ right.T
    scale = 4 * np.finfo(np.float64).eps / TOLERANCE
    if scale * float(left_sizes.max(axis=0) @ right_sizes.max(axis=0)) > 1:
        i, j = np.nonzero(scale * (left_sizes @ right_sizes.T) > np.maximum(found, 1.0))
        found[i, j] = distances_of_pairs(p, i + rows.start, q, j + columns.start)
    return np.asarray(np.maximum(found, 0.0, out=found))


def kl_between(p: GaussianTable, q: GaussianTable, block: int = BLOCK) -> Floats:
    """Return the `symmetric_kl` of prepared songs, of shape (songs of p, songs of q)."""
    check_at_least("block", block)
    found = np.empty((len(p), len(q)))
    rights = [(part, q.right(part)) for part in blocks(len(q), block)]
    for rows in blocks(len(p), block):
        left = p.left(rows)
        for columns, right in rights:
            if p is q and columns.start < rows.start:
                continue  # this half is mirrored
            distances = distances_of_block(p, rows, q, columns, (left, right))
            if p is q and columns == rows:
                distances = np.triu(distances, 1)
                distances += distances.T
            found[rows, columns] = distances
            if p is q and columns != rows:
                found[columns, rows] = distances.T
    return found
