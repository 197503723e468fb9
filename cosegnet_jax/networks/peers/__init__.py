"""Networks that the paper compares with: CoSegNet-base, DOCS and semantic-aware attention."""
