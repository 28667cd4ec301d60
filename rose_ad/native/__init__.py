"""From LLVM text to a call: machine code, its cache, and how Python reaches it. Nothing else imports
llvmlite."""
