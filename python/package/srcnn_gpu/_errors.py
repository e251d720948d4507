"""What can go wrong, as exceptions. All derive from `Error`, and each from the built-in exception that it is a kind of."""


class Error(Exception):
    """Any error of this package. The message says what is wrong and what to do."""


class InvalidArgumentError(Error, ValueError):
    """An argument out of its range: a shape that is no picture's, a scale below 1, an unknown name."""


class ModelError(Error, ValueError):
    """A weight file that cannot be read, or that does not describe a network."""


class PictureError(Error, ValueError):
    """A picture that cannot be used, or results that do not fit in memory."""


class OutputError(Error, OSError):
    """A result that cannot be written. Files that were there stay as they were."""


class NoAdapterError(Error, RuntimeError):
    """No adapter matches. The message lists those that there are, or what to install."""


class MissingCapabilityError(Error, RuntimeError):
    """The adapter lacks something that the network needs, such as 16-bit floats."""


class OutOfMemoryError(Error, MemoryError):
    """The GPU ran out of memory. A smaller `tile` or `batch` needs less."""


class GpuError(Error, RuntimeError):
    """An error of the device or its driver."""


class WrongResultError(GpuError):
    """A result that cannot be right, which is not returned: the adapter, its driver or the network is broken."""


class SelfTestError(GpuError):
    """An adapter whose results do not agree with the CPU's. Another adapter or driver may work."""


class DivergedError(Error, ArithmeticError):
    """Training whose loss or parameters are no longer finite numbers. Lower learning rates help."""


class ForkError(Error, RuntimeError):
    """An object with a device was used in a process that was forked from the one that made it."""
