"""Losses, each written once over operations that PyTorch and Paddle share.

A loss is a frozen description (`Triplet`, `ArcMargin`, …) that can be evaluated
on tensors of either framework. `build.build_loss` makes a module of it, which
holds the weights that some of them train.
"""
