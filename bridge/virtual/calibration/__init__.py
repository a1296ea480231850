"""How well the heap and CPU models agree with what was measured on the stock firmware."""
