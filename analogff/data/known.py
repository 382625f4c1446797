"""What is said of known data sets in captions, tables and reports."""

TITLES = {
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "digits": "digits of scikit-learn",
    "mnist1d": "MNIST-1D",
    "cifar10": "CIFAR-10",
    "cifar10-jpeg": "CIFAR-10 (JPEG)",
}
"""Title of each data set by its name."""
CREDITS = {
    "mnist": "MNIST, Y. LeCun, C. Cortes and C. J. C. Burges, CC BY-SA 3.0.",
    "fashion-mnist": "Fashion-MNIST, H. Xiao, K. Rasul and R. Vollgraf, arXiv 1708.07747, MIT license.",
    "digits": "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI; through scikit-learn.",
    "mnist1d": "MNIST-1D, S. Greydanus and D. Kobak, Scaling Down Deep Learning with MNIST-1D, ICML 2024, Apache "
    "License 2.0; generated.",
    "cifar10": "CIFAR-10, A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009; binary version.",
    "cifar10-jpeg": "CIFAR-10 (JPEG): CIFAR-10, A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, "
    "2009, compressed again as JPEG, which loses detail.",
}
"""Authors, source and license of each data set by its name."""


def title(name: str) -> str:
    """Return the title of a known data set, else its name."""
    return TITLES.get(name, name)
