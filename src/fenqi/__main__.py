"""`python -m fenqi`: the same as the program `fenqi`."""

from fenqi.cli import main

if __name__ == "__main__":  # another process of the demo imports this module too
    main()
