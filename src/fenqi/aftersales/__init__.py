"""The room of after-sales: cases that people work on, with a queue, a clock and a reasoned decision."""
