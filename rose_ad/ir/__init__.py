"""The intermediate representation: types, instructions as a table, primitives as another, and what any
program of them allows: emitting, copying, printing, parsing, pickling, verifying, interpreting."""
