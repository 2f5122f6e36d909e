"""What judging may still spend."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Purse:
    """Nothing is begun that could cost more than is there, so that the limit holds whatever is under way."""

    limit: Decimal | None
    """US dollars; None: as much as it costs."""
    spent: Decimal
    held: Decimal = Decimal(0)
    """The most that what is under way can cost."""

    def take(self, worst: Decimal | None) -> bool:
        """Hold back the most that something can cost; whether there is enough."""
        most = worst or Decimal(0)
        if self.limit is not None and (worst is None or self.spent + self.held + most > self.limit):
            return False
        self.held += most
        return True

    def pay(self, worst: Decimal | None, price: Decimal | None) -> None:
        """Give back what was held, and spend what it did cost."""
        self.held -= worst or Decimal(0)
        self.spent += price or Decimal(0)
