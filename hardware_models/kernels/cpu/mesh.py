"""Interferometer meshes as loops: phases of matrices, and propagation of light.

Double precision and no reductions, so a mesh gives the same bits in every bank.
"""

import numpy as np

from analogff.device.numerics.compiled import compiled

TURN = 2 * np.pi


@compiled
def rotations(matrices, right, line, nulled, place, angles, signs):
    """Decompose orthogonal matrices into rotations of neighboring ports, in the order of light.

    The matrices, ``(meshes, ports, ports)``, are overwritten. Step ``k`` nulls the element ``nulled[k]`` by rotating
    columns (``right``) or rows ``line[k]`` and the next; its angle goes to ``angles[:, place[k]]``.
    """
    ports = matrices.shape[1]
    for b in range(len(matrices)):
        m = matrices[b]
        for k in range(len(line)):
            i, (row, column) = line[k], nulled[k]
            up, low = (m[row, i], m[row, i + 1]) if right[k] else (-m[i + 1, column], m[i, column])
            length = np.hypot(up, low)
            c, s = (low / length, up / length) if length > 0 else (1.0, 0.0)
            angles[b, place[k]] = np.arctan2(s, c)
            for n in range(ports):
                if right[k]:
                    m[n, i], m[n, i + 1] = c * m[n, i] - s * m[n, i + 1], s * m[n, i] + c * m[n, i + 1]
                else:
                    m[i, n], m[i + 1, n] = c * m[i, n] - s * m[i + 1, n], s * m[i, n] + c * m[i + 1, n]
        for n in range(ports):
            signs[b, n] = 1.0 if m[n, n] >= 0 else -1.0
        for k in range(len(line)):
            if not right[k]:  # removed at the output, it moves before the signs
                angles[b, place[k]] *= -signs[b, line[k]] * signs[b, line[k] + 1]


@compiled
def phases(angles, signs, line, out):
    """Convert rotations to phases, ``(meshes, ports^2)``: inside MZIs, before them, and at the outputs.

    An MZI is a rotation up to a phase of both ports and a sign of one, for which the next phase shifter compensates.
    """
    count, ports = len(line), signs.shape[1]
    lag = np.empty(ports)
    for b in range(len(angles)):
        lag[:] = 0
        for k in range(count):
            i = line[k]
            half = (np.pi / 2 - angles[b, k]) % TURN
            out[b, k] = (2 * half) % TURN
            out[b, count + k] = (lag[i + 1] + np.pi - lag[i]) % TURN
            lag[i] = lag[i + 1] = (lag[i + 1] - np.pi / 2 + half) % TURN
        for n in range(ports):
            out[b, 2 * count + n] = ((0.0 if signs[b, n] > 0 else np.pi) - lag[n]) % TURN


@compiled
def transmit(real, imaginary, line, phase, coupler, amplitude):
    """Send fields, ``(meshes, ports, columns)``, through meshes, in place."""
    count, columns = len(line), real.shape[2]
    for b in range(len(real)):
        x, y, a = real[b], imaginary[b], amplitude[b]
        for k in range(count):
            i = line[k]
            c, s = np.cos(phase[b, k]), np.sin(phase[b, k])
            c1, s1 = np.cos(coupler[b, k]), np.sin(coupler[b, k])
            c2, s2 = np.cos(coupler[b, count + k]), np.sin(coupler[b, count + k])
            before_c, before_s = np.cos(phase[b, count + k]), np.sin(phase[b, count + k])
            ux, uy = a * (c2 * c1 * c - s2 * s1), a * c2 * c1 * s
            ux, uy = ux * before_c - uy * before_s, ux * before_s + uy * before_c
            vx, vy = -a * c2 * s1 * s, a * (c2 * s1 * c + s2 * c1)
            wx, wy = -a * s2 * c1 * s, a * (s2 * c1 * c + c2 * s1)
            wx, wy = wx * before_c - wy * before_s, wx * before_s + wy * before_c
            zx, zy = a * (c2 * c1 - s2 * s1 * c), -a * s2 * s1 * s
            for n in range(columns):
                px, py, qx, qy = x[i, n], y[i, n], x[i + 1, n], y[i + 1, n]
                x[i, n] = ux * px - uy * py + vx * qx - vy * qy
                y[i, n] = ux * py + uy * px + vx * qy + vy * qx
                x[i + 1, n] = wx * px - wy * py + zx * qx - zy * qy
                y[i + 1, n] = wx * py + wy * px + zx * qy + zy * qx
        for i in range(real.shape[1]):
            c, s = np.cos(phase[b, 2 * count + i]), np.sin(phase[b, 2 * count + i])
            for n in range(columns):
                x[i, n], y[i, n] = c * x[i, n] - s * y[i, n], s * x[i, n] + c * y[i, n]
