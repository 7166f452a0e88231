"""Views of listening histories."""


def plays(history):
    """What a history holds, as a dictionary."""
    table = history.plays.tocoo()
    return {
        (history.users[user], history.items[item]): float(count)
        for user, item, count in zip(table.row, table.col, table.data, strict=True)
    }
