"""Coefficients of the normals that CPU and GPU draw, which are equal bit by bit because the steps are.

Near-minimax polynomials, fitted here: -2 log(1 + f) / f from root 1/2 to root 2 (to 2e-7, relative), and sin(h) / h
and cos(h) of h^2 within a quarter turn (to 3e-9 and 5e-8). Highest power first.
"""

LOG = (
    0.2021276908,
    -0.3244472300,
    0.3450180258,
    -0.3980039131,
    0.4993981206,
    -0.6667011581,
    1.0000073032,
    -1.9999998907,
)
SINE = (2.5904883603e-6, -1.9800897686e-4, 8.3328998219e-3, -0.1666664763, 0.9999999766)
COSINE = (2.3153929892e-5, -1.3853704222e-3, 4.1663584680e-2, -0.4999990535, 0.9999999535)
