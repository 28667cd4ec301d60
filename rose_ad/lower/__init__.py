"""From IR to LLVM text, with a place for every array, known before the run."""
