"""Names that C and JavaScript have for themselves, and so cannot be those of what is exported."""

from __future__ import annotations

from typing import Final

from ..base.errors import TypeMismatch
from ..base.source import here


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


JAVASCRIPT: Final = _words("""
arguments await break case catch class const continue debugger default delete do else enum eval export extends
false finally for function if implements import in instanceof interface let new null package private protected
public return static super switch this throw true try typeof var void while with yield
""")
# with those of C++, and of macros that compilers bring
C: Final = _words("""
NULL alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t
class co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue
decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if
inline int int16_t int32_t int64_t int8_t linux long mutable namespace new noexcept not not_eq nullptr
operator or or_eq private protected public register reinterpret_cast requires restrict return scratch short
signed size_t sizeof static static_assert static_cast struct switch template this thread_local throw true try
typedef typeid typename typeof typeof_unqual uint16_t uint32_t uint64_t uint8_t union unix unsigned using
virtual void volatile wchar_t while xor xor_eq
""")
_OF_NUMBERS: Final = _words("""
acos acosh asin asinh atan atan2 atanh cabs cacos cacosh carg casin casinh catan catanh cbrt ccos ccosh ceil
cexp cimag clog clog10 conj copysign cos cosh cpow cproj creal csin csinh csqrt ctan ctanh drem erf erfc exp
exp10 exp2 expm1 fabs fdim floor fma fmax fmin fmod frexp gamma hypot ilogb j0 j1 jn ldexp lgamma llrint
llround log log10 log1p log2 logb lrint lround modf nan nearbyint nextafter nexttoward pow pow10 remainder
remquo rint round scalb scalbln scalbn significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn
""")
# functions that compilers know, or that a program begins with
C_FUNCTIONS: Final = {f"{name}{kind}" for name in _OF_NUMBERS for kind in ("", "f", "l")} | _words("""
abort abs alloca bcmp bcopy bzero calloc execl execle execlp execv execve execvp exit ffs finite fork fprintf
fputc fputs free fscanf fwrite imaxabs index isalnum isalpha isascii isblank iscntrl isdigit isgraph isinf
islower isnan isprint ispunct isspace isupper isxdigit labs llabs main malloc memchr memcmp memcpy memmove
mempcpy memset printf putc putchar puts realloc rindex scanf signbit snprintf sprintf sscanf stpcpy strcasecmp
strcat strchr strcmp strcpy strcspn strdup strfmon strftime strlen strncasecmp strncat strncmp strncpy strndup
strpbrk strrchr strspn strstr time toascii tolower toupper vfprintf vprintf vsnprintf vsprintf
""")


def not_taken(name: str, taken: frozenset[str], language: str) -> None:
    """Raises TypeMismatch for a name of a function that a language has for something else."""
    if name in taken:
        raise TypeMismatch(f"{name!r} is no name of a function in {language}", here(), f"{name}_of")


def free(name: str, taken: frozenset[str] | set[str]) -> str:
    """A name, or the first of name_1, name_2 ... that is not taken."""
    out, k = name, 1
    while out in taken:
        out, k = f"{name}_{k}", k + 1
    return out
