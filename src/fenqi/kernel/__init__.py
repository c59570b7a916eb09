"""The pure floor: money, time, ids, states, reasons and the numbers of law. It imports nothing of fenqi and does no I/O."""
