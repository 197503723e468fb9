"""CoSegNet (Banerjee et al., IJCAI 2019) in JAX: image co-segmentation without class labels."""

__version__ = '0.1.0'
