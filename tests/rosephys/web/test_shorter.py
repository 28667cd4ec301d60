"""Shorter JavaScript does what it did."""

from __future__ import annotations

import subprocess

import pytest

from rosephys.web.shorter import shorter
from tests.support.tools import needs_node

PROGRAMS = {
    "fields of the same name": """
const size = 2;
const box = { size, wide: size * 3, deep: { size: 5 } };
const { size: other, wide, deep: { size: inner = 9 } } = box;
console.log(size, other, wide, inner, Object.keys(box).join());""",
    "parameters and defaults": """
const base = 10;
function add(first, { second, third = base }, [fourth, ...rest], last = first + 1) {
  return [first, second, third, fourth, rest.length, last].join();
}
console.log(add(1, { second: 2 }, [4, 5, 6]), ((x) => (y) => x - -y)(3)(4));""",
    "templates in templates": """
const name = "a", names = [1, 2].map((name) => `<${name}${name > 1 ? `!${name + 1}` : ""}>`);
console.log(`${names.join("")} ${name} \\` \\${name} // no comment; `, 'it"s', "/* nor this */");""",
    "classes and generators": """
const START = 1;
class Counter {
  static all = 0;
  constructor(start = START) { this.count = start; Counter.all++; }
  *steps(n) { for (let k = 0; k < n; k++) { this.count += k; yield this.count; } }
  async later() { const { count } = this; return count; }
}
function* two() { yield* new Counter().steps(2); }
new Counter(5).later().then((count) => console.log(count, [...two()].join(), Counter.all));""",
    "signs that would grow together": """
let a = 1, b = 2;
const c = a++ + ++b, d = a - -b, e = 6 / 2 / 3;
label(c, d, e);
function label(...all) { if (all.length) { console.log(all.join()); } else return; }""",
    "loops and cases": """
const seen = [];
for (const [key, value] of Object.entries({ x: 1, y: 2 })) seen.push(key + value);
for (const key in { z: 0 }) seen.push(key);
let k = 3;
while (k-- > 0) { if (k === 1) continue; seen.push(k); }
try { throw new Error("no"); } catch (error) { seen.push(error.message); } finally { seen.push("end"); }
console.log(seen.join(), typeof missing, k ?? 7, seen?.length, seen[0]?.length);""",
    "the same name again and again": """
const f = (x) => { const y = x + 1; return { y, z: [x, y].map((x) => x * 2) }; };
const g = ({ y, z }) => { const x = y; { const y = 100; z.push(y); } return [x, ...z]; };
console.log(g(f(1)).join());""",
}


@needs_node
@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_print_the_same(source: str) -> None:
    def printed(program: str) -> str:
        command = ["node", "--input-type=module", "-e", program]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert len(shorter(source)) < len(source)
    assert printed(shorter(source)) == printed(source) != ""


def test_names_that_are_not_the_programs_own_stay() -> None:
    source = "const total = (numbers) => Math.max(...numbers); document.title = total([name]);"
    short = shorter(source)
    for kept in ("Math.max", "document.title", "[name]"):
        assert kept in short
    assert "total" not in short and "numbers" not in short
