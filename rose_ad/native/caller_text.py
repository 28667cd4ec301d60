"""The C function that calls compiled code from Python, as LLVM text; `caller` says what it does.

It reads a plan of the program, an array of words whose beginning is %Plan; `native` in `caller` writes it. Its
frame holds what one call needs, and lies on the stack where it is small.
"""

from __future__ import annotations

from typing import Final

from ..ir.types import F32, F64, I64, Bool, Scalar
from ..lower.interrupts import STOPPED
from ..lower.memory_layout import ALIGN

ENTRY: Final = "rose_call"
KINDS: Final[dict[Scalar, int]] = {F64: 0, I64: 1, Bool: 2, F32: 3}  # of values, in the plan
ARRAY: Final = 4
_STACK = 3072  # bytes of frame that may lie on the C stack; below a page, which some platforms must probe

# what it calls of Python's
PYTHON = (
    "Py_IncRef",
    "Py_DecRef",
    "PyFloat_FromDouble",
    "PyLong_FromLongLong",
    "PyLong_AsLongLongAndOverflow",
    "PyTuple_New",
    "PyTuple_SetItem",
    "PyList_Size",
    "PyList_GetItem",
    "PyList_SetSlice",
    "PyList_Append",
    "PyObject_CallFunctionObjArgs",
    "PyEval_SaveThread",
    "PyEval_RestoreThread",
)

TEXT = f"""
%Object = type {{ i64, ptr }}  ; references, type
%Number = type {{ %Object, i64 }}
%Array = type {{ %Object, ptr, i32, ptr, ptr, ptr, ptr, i32 }}  ; data, rank, shape, strides, base, dtype, flags
%Value = type {{ i64, ptr, i64, ptr }}  ; kind, dtype, rank, shape
%Plan = type {{ ptr, i64, i64, i64, i64, ptr, ptr, [0 x %Value] }}  ; see `native`
%Frame = type {{ ptr, ptr, ptr, ptr }}  ; scratch, pointers to values, scalars, objects made

@rose_miss = external global %Object
@rose_true = external global %Object
@rose_false = external global %Object
@rose_ndarray = external global i8
@rose_float64 = external global i8
@rose_float32 = external global i8
@rose_int64 = external global i8
@rose_bool = external global i8
@rose_bytes = external global %Object
@rose_float = external global i8
@rose_int = external global i8

declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyFloat_FromDouble(double)
declare ptr @PyLong_FromLongLong(i64)
declare i64 @PyLong_AsLongLongAndOverflow(ptr, ptr)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare i64 @PyList_Size(ptr)
declare ptr @PyList_GetItem(ptr, i64)
declare i32 @PyList_SetSlice(ptr, i64, i64, ptr)
declare i32 @PyList_Append(ptr, ptr)
declare ptr @PyObject_CallFunctionObjArgs(ptr, ...)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare ptr @PyArray_NewFromDescr(ptr, ptr, i32 signext, ptr, ptr, ptr, i32 signext, ptr)
declare ptr @PyArray_Return(ptr)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare ptr @llvm.ptrmask.p0.i64(ptr, i64)

define ptr @{ENTRY}(ptr %self, ptr %args, i64 %n) {{
  %stack = alloca [{_STACK} x i8], align {ALIGN}
  %plan.at = getelementptr %Array, ptr %self, i64 0, i32 1
  %plan = load ptr, ptr %plan.at
  %count.at = getelementptr %Plan, ptr %plan, i64 0, i32 1
  %count = load i64, ptr %count.at
  %fits = icmp eq i64 %n, %count
  br i1 %fits, label %frame, label %miss
miss:
  call void @Py_IncRef(ptr @rose_miss)
  ret ptr @rose_miss
frame:
  %bytes.at = getelementptr %Plan, ptr %plan, i64 0, i32 4
  %bytes = load i64, ptr %bytes.at
  %small = icmp ule i64 %bytes, {_STACK}
  br i1 %small, label %near, label %far
near:
  %result = call ptr @run(ptr %plan, ptr %args, ptr %stack)
  ret ptr %result
far:
  %distant = call ptr @with_arena(ptr %plan, ptr %args)
  ret ptr %distant
}}

; an arena is an array of bytes, taken from the idle ones or made, and put among them again

define internal ptr @with_arena(ptr %plan, ptr %args) noinline {{
  %size = alloca i64
  %idle.at = getelementptr %Plan, ptr %plan, i64 0, i32 5
  %idle = load ptr, ptr %idle.at
  %count = call i64 @PyList_Size(ptr %idle)
  %last = sub i64 %count, 1
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %take, label %make
take:
  %known = call ptr @PyList_GetItem(ptr %idle, i64 %last)
  call void @Py_IncRef(ptr %known)
  %taken = call i32 @PyList_SetSlice(ptr %idle, i64 %last, i64 %count, ptr null)
  br label %run
make:
  %bytes.at = getelementptr %Plan, ptr %plan, i64 0, i32 4
  %bytes = load i64, ptr %bytes.at
  %more = add i64 %bytes, {ALIGN - 1}
  store i64 %more, ptr %size
  %made = call ptr @array(ptr @rose_bytes, i64 1, ptr %size)
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %error, label %run
run:
  %arena = phi ptr [ %known, %take ], [ %made, %make ]
  %data.at = getelementptr %Array, ptr %arena, i64 0, i32 1
  %data = load ptr, ptr %data.at
  %end = getelementptr i8, ptr %data, i64 {ALIGN - 1}
  %frame = call ptr @llvm.ptrmask.p0.i64(ptr %end, i64 -{ALIGN})
  %result = call ptr @run(ptr %plan, ptr %args, ptr %frame)
  %kept = call i32 @PyList_Append(ptr %idle, ptr %arena)
  call void @Py_DecRef(ptr %arena)
  %lost = icmp ne i32 %kept, 0
  br i1 %lost, label %drop, label %done
drop:
  call void @Py_DecRef(ptr %result)
  br label %error
done:
  ret ptr %result
error:
  ret ptr null
}}

define internal ptr @array(ptr %dtype, i64 %rank, ptr %shape) {{
  call void @Py_IncRef(ptr %dtype)  ; the call takes a reference
  %n = trunc i64 %rank to i32
  %made = call ptr @PyArray_NewFromDescr(
    ptr @rose_ndarray, ptr %dtype, i32 signext %n, ptr %shape, ptr null, ptr null, i32 signext 0, ptr null)
  ret ptr %made
}}

; the frame: scratch, a pointer to each value, a word for each scalar, the objects made for results

define internal ptr @run(ptr %plan, ptr %args, ptr %frame) {{
entry:
  %params.at = getelementptr %Plan, ptr %plan, i64 0, i32 1
  %params = load i64, ptr %params.at
  %results.at = getelementptr %Plan, ptr %plan, i64 0, i32 2
  %results = load i64, ptr %results.at
  %scratch.at = getelementptr %Plan, ptr %plan, i64 0, i32 3
  %scratch = load i64, ptr %scratch.at
  %count = add i64 %params, %results
  %pointers = getelementptr i8, ptr %frame, i64 %scratch
  %words = getelementptr ptr, ptr %pointers, i64 %count
  %objects = getelementptr ptr, ptr %words, i64 %count
  br label %accept

accept:
  %i = phi i64 [ 0, %entry ], [ %i.next, %accepting ]
  %more = icmp ult i64 %i, %params
  br i1 %more, label %accepting, label %accepted
accepting:
  %arg.at = getelementptr ptr, ptr %args, i64 %i
  %arg = load ptr, ptr %arg.at
  %value = getelementptr %Plan, ptr %plan, i64 0, i32 7, i64 %i
  %pointer = getelementptr ptr, ptr %pointers, i64 %i
  %word = getelementptr i64, ptr %words, i64 %i
  %i.next = add i64 %i, 1
  %ok = call i1 @accept(ptr %value, ptr %arg, ptr %word, ptr %pointer)
  br i1 %ok, label %accept, label %miss
miss:
  call void @Py_IncRef(ptr @rose_miss)
  ret ptr @rose_miss

accepted:
  %objects.bytes = shl i64 %results, 3
  call void @llvm.memset.p0.i64(ptr %objects, i8 0, i64 %objects.bytes, i1 false)
  br label %prepare
prepare:
  %j = phi i64 [ 0, %accepted ], [ %j.next, %preparing ]
  %more.j = icmp ult i64 %j, %results
  br i1 %more.j, label %preparing, label %prepared
preparing:
  %at.j = add i64 %params, %j
  %value.j = getelementptr %Plan, ptr %plan, i64 0, i32 7, i64 %at.j
  %pointer.j = getelementptr ptr, ptr %pointers, i64 %at.j
  %word.j = getelementptr i64, ptr %words, i64 %at.j
  %object.j = getelementptr ptr, ptr %objects, i64 %j
  %j.next = add i64 %j, 1
  %ok.j = call i1 @prepare(ptr %value.j, ptr %word.j, ptr %pointer.j, ptr %object.j)
  br i1 %ok.j, label %prepare, label %failed

prepared:
  %entry.at = getelementptr %Plan, ptr %plan, i64 0, i32 0
  %code = load ptr, ptr %entry.at
  %thread = call ptr @PyEval_SaveThread()
  %status = call i64 %code(ptr %pointers, ptr %frame)
  call void @PyEval_RestoreThread(ptr %thread)
  switch i64 %status, label %refused [
    i64 0, label %finish
    i64 {STOPPED}, label %failed  ; the exception is set
  ]
refused:
  call void @fail(ptr %plan, i64 %status)
  br label %failed

finish:
  %k = phi i64 [ 0, %prepared ], [ %k.next, %finishing ]
  %more.k = icmp ult i64 %k, %results
  br i1 %more.k, label %finishing, label %finished
finishing:
  %at.k = add i64 %params, %k
  %value.k = getelementptr %Plan, ptr %plan, i64 0, i32 7, i64 %at.k
  %word.k = getelementptr i64, ptr %words, i64 %at.k
  %object.k = getelementptr ptr, ptr %objects, i64 %k
  %k.next = add i64 %k, 1
  %ok.k = call i1 @finish(ptr %value.k, ptr %word.k, ptr %object.k)
  br i1 %ok.k, label %finish, label %failed
finished:
  %out = call ptr @together(i64 %results, ptr %objects)
  ret ptr %out

failed:
  br label %release
release:
  %r = phi i64 [ 0, %failed ], [ %r.next, %releasing ]
  %more.r = icmp ult i64 %r, %results
  br i1 %more.r, label %releasing, label %released
releasing:
  %object.at = getelementptr ptr, ptr %objects, i64 %r
  %object = load ptr, ptr %object.at
  call void @Py_DecRef(ptr %object)
  %r.next = add i64 %r, 1
  br label %release
released:
  ret ptr null
}}

; a pointer to the value of an argument, if that is exactly of the type wanted

define internal i1 @accept(ptr %value, ptr %arg, ptr %word, ptr %pointer) {{
  %overflow = alloca i32
  %kind = load i64, ptr %value
  %type.at = getelementptr %Object, ptr %arg, i64 0, i32 1
  %type = load ptr, ptr %type.at
  %is.array = icmp eq ptr %type, @rose_ndarray
  br i1 %is.array, label %array, label %scalar
array:
  %ok = call i1 @accept_array(ptr %value, ptr %arg, ptr %pointer)
  ret i1 %ok
scalar:
  %content = getelementptr %Number, ptr %arg, i64 0, i32 1
  switch i64 %kind, label %no [
    i64 {KINDS[F64]}, label %real
    i64 {KINDS[I64]}, label %int
    i64 {KINDS[Bool]}, label %bool
    i64 {KINDS[F32]}, label %single
  ]
real:
  %is.float = icmp eq ptr %type, @rose_float
  %is.float64 = icmp eq ptr %type, @rose_float64
  %is.real = or i1 %is.float, %is.float64
  br i1 %is.real, label %there, label %no
single:
  %is.float32 = icmp eq ptr %type, @rose_float32
  br i1 %is.float32, label %there, label %no
there:
  store ptr %content, ptr %pointer
  ret i1 true
int:
  %is.int64 = icmp eq ptr %type, @rose_int64
  br i1 %is.int64, label %there, label %of.python
of.python:
  %is.int = icmp eq ptr %type, @rose_int
  br i1 %is.int, label %whole, label %no
whole:
  %integer = call i64 @PyLong_AsLongLongAndOverflow(ptr %arg, ptr %overflow)
  store i64 %integer, ptr %word
  store ptr %word, ptr %pointer
  %over = load i32, ptr %overflow
  %fits = icmp eq i32 %over, 0
  ret i1 %fits
bool:
  %is.bool_ = icmp eq ptr %type, @rose_bool
  br i1 %is.bool_, label %there, label %true.or.false
true.or.false:
  %is.true = icmp eq ptr %arg, @rose_true
  %is.false = icmp eq ptr %arg, @rose_false
  %is.bool = or i1 %is.true, %is.false
  %truth = zext i1 %is.true to i8
  store i8 %truth, ptr %word
  store ptr %word, ptr %pointer
  ret i1 %is.bool
no:
  ret i1 false
}}

define internal i1 @accept_array(ptr %value, ptr %arg, ptr %pointer) {{
entry:
  %dtype.at = getelementptr %Array, ptr %arg, i64 0, i32 6
  %dtype = load ptr, ptr %dtype.at
  %wanted.at = getelementptr %Value, ptr %value, i64 0, i32 1
  %wanted = load ptr, ptr %wanted.at
  %dtype.ok = icmp eq ptr %dtype, %wanted
  %rank.at = getelementptr %Array, ptr %arg, i64 0, i32 2
  %rank.32 = load i32, ptr %rank.at
  %rank = sext i32 %rank.32 to i64
  %wanted.rank.at = getelementptr %Value, ptr %value, i64 0, i32 2
  %wanted.rank = load i64, ptr %wanted.rank.at
  %rank.ok = icmp eq i64 %rank, %wanted.rank
  %flags.at = getelementptr %Array, ptr %arg, i64 0, i32 7
  %flags = load i32, ptr %flags.at
  %kept = and i32 %flags, 257  ; C-contiguous, aligned
  %flags.ok = icmp eq i32 %kept, 257
  %some.ok = and i1 %dtype.ok, %rank.ok
  %ok = and i1 %some.ok, %flags.ok
  %shape.at = getelementptr %Array, ptr %arg, i64 0, i32 3
  %shape = load ptr, ptr %shape.at
  %wanted.shape.at = getelementptr %Value, ptr %value, i64 0, i32 3
  %wanted.shape = load ptr, ptr %wanted.shape.at
  br i1 %ok, label %axes, label %no
axes:
  %i = phi i64 [ 0, %entry ], [ %i.next, %axis ]
  %more = icmp slt i64 %i, %rank
  br i1 %more, label %axis, label %yes
axis:
  %n.at = getelementptr i64, ptr %shape, i64 %i
  %n = load i64, ptr %n.at
  %wanted.n.at = getelementptr i64, ptr %wanted.shape, i64 %i
  %wanted.n = load i64, ptr %wanted.n.at
  %same = icmp eq i64 %n, %wanted.n
  %i.next = add i64 %i, 1
  br i1 %same, label %axes, label %no
yes:
  %data.at = getelementptr %Array, ptr %arg, i64 0, i32 1
  %data = load ptr, ptr %data.at
  store ptr %data, ptr %pointer
  ret i1 true
no:
  ret i1 false
}}

; a place for a result: a new array, or a word; a single is made as an array of rank 0

define internal i1 @prepare(ptr %value, ptr %word, ptr %pointer, ptr %object) {{
  %kind = load i64, ptr %value
  %is.word = icmp ult i64 %kind, {KINDS[F32]}
  br i1 %is.word, label %scalar, label %array
scalar:
  store ptr %word, ptr %pointer
  ret i1 true
array:
  %dtype.at = getelementptr %Value, ptr %value, i64 0, i32 1
  %dtype = load ptr, ptr %dtype.at
  %rank.at = getelementptr %Value, ptr %value, i64 0, i32 2
  %rank = load i64, ptr %rank.at
  %shape.at = getelementptr %Value, ptr %value, i64 0, i32 3
  %shape = load ptr, ptr %shape.at
  %made = call ptr @array(ptr %dtype, i64 %rank, ptr %shape)
  store ptr %made, ptr %object
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %no, label %yes
no:
  ret i1 false
yes:
  %data.at = getelementptr %Array, ptr %made, i64 0, i32 1
  %data = load ptr, ptr %data.at
  store ptr %data, ptr %pointer
  ret i1 true
}}

; the object of a result

define internal i1 @finish(ptr %value, ptr %word, ptr %object) {{
entry:
  %kind = load i64, ptr %value
  switch i64 %kind, label %array [
    i64 {KINDS[F64]}, label %real
    i64 {KINDS[I64]}, label %int
    i64 {KINDS[Bool]}, label %bool
    i64 {KINDS[F32]}, label %single
  ]
array:
  ret i1 true
real:
  %x = load double, ptr %word
  %float = call ptr @PyFloat_FromDouble(double %x)
  br label %made
int:
  %n = load i64, ptr %word
  %integer = call ptr @PyLong_FromLongLong(i64 %n)
  br label %made
bool:
  %b = load i8, ptr %word
  %is.false = icmp eq i8 %b, 0
  %truth = select i1 %is.false, ptr @rose_false, ptr @rose_true
  call void @Py_IncRef(ptr %truth)
  br label %made
single:
  %zero = load ptr, ptr %object
  %float32 = call ptr @PyArray_Return(ptr %zero)  ; takes the reference to the array
  br label %made
made:
  %new = phi ptr [ %float, %real ], [ %integer, %int ], [ %truth, %bool ], [ %float32, %single ]
  store ptr %new, ptr %object
  %ok = icmp ne ptr %new, null
  ret i1 %ok
}}

; one object as it is, others as a tuple, which takes their references

define internal ptr @together(i64 %count, ptr %objects) {{
entry:
  %one = icmp eq i64 %count, 1
  br i1 %one, label %single, label %several
single:
  %object = load ptr, ptr %objects
  ret ptr %object
several:
  %tuple = call ptr @PyTuple_New(i64 %count)
  %failed = icmp eq ptr %tuple, null
  br label %next
next:
  %i = phi i64 [ 0, %several ], [ %i.next, %put ], [ %i.next, %drop ]
  %more = icmp ult i64 %i, %count
  br i1 %more, label %some, label %done
some:
  %item.at = getelementptr ptr, ptr %objects, i64 %i
  %item = load ptr, ptr %item.at
  %i.next = add i64 %i, 1
  br i1 %failed, label %drop, label %put
put:
  %set = call i32 @PyTuple_SetItem(ptr %tuple, i64 %i, ptr %item)
  br label %next
drop:
  call void @Py_DecRef(ptr %item)
  br label %next
done:
  ret ptr %tuple
}}

define internal void @fail(ptr %plan, i64 %status) {{
  %fail.at = getelementptr %Plan, ptr %plan, i64 0, i32 6
  %fail = load ptr, ptr %fail.at
  %number = call ptr @PyLong_FromLongLong(i64 %status)
  %raised = call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr %fail, ptr %number, ptr null)
  call void @Py_DecRef(ptr %raised)
  call void @Py_DecRef(ptr %number)
  ret void
}}
"""
