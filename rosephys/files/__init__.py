"""What leaves for the disk: values, films, pictures, each written whole or not at all."""
