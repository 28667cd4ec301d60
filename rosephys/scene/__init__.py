"""What a scene is: fields, how it is found, the picture it gives. The contract that everything else
reads."""
