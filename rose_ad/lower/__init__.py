"""From IR to machine code: LLVM text, a static memory plan, the JIT and the object cache."""
