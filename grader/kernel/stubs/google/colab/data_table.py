"""Stand-in for `google.colab.data_table`: tables stay as they are."""


class DataTable:
    """Shows a table as the table shows itself."""

    def __init__(self, dataframe: object, *_arguments: object, **_options: object) -> None:
        self._dataframe = dataframe

    def __repr__(self) -> str:
        return repr(self._dataframe)


def enable_dataframe_formatter() -> None:
    """Do nothing."""


def disable_dataframe_formatter() -> None:
    """Do nothing."""
