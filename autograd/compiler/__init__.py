"""The compiler: a function of numbers as machine code that runs over a batch.

The rooms, in the order in which data flows:

    run             `jit`: a function, and arguments of any structure
    specialization  the function for one structure: its Program, and the Program's kernel
    batch           structures of arrays that have a leading axis, the rows
    kernel          Program -> Code: differentiated if need be, then through the stages
      simplify      -> Graph: few instructions; rows of any length by the formulas of expand
        gather      trees of + and × -> sums of products
      schedule      -> Schedule: groups of what is alike, in consecutive slots, as nests
        reroll      constant strides -> loops, and loops around nests
        fuse        operations over the same loops -> one loop
      code          -> machine code for a target: a function over samples in blocks of panels
        panel       rows of arrays -> slots of a panel, and slots -> rows
        emit        nests -> LLVM instructions, sums of products by tiles, loops by writer
        lower       a primitive -> instructions on vectors
    descend         many steps of training, with a kernel for the objective and one for the update

Beside them, arrays is how machine code reads NumPy's, listing shows a schedule as Python would
write it, and interpret runs a Program in Python where LLVM has no target.
"""

MISSING = "jit needs llvmlite and numpy: pip install 'glassgrad[compile]'"
try:
    import numpy  # noqa: F401, ICN001  that it is there
except ModuleNotFoundError:
    raise ImportError(MISSING) from None
