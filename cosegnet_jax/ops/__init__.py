"""What networks compute with, in the form that each device runs fastest; plain forms beside them."""
