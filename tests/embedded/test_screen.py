import io
import time

from rampbridge.embedded.screen import Activity, Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def under_way(title: str, seconds: float, expected: float) -> Activity:
    return Activity(title, expected, began_at=time.monotonic() - seconds)


class TestScreen:
    def test_says_how_long_a_finished_step_took(self) -> None:
        output = io.StringIO()

        Screen(output).finished(under_way("Database tables", 12.3, 8))

        assert output.getvalue() == "   12.3 s  Database tables\n"

    def test_announces_a_slow_step_once_where_nothing_can_move(self) -> None:
        output = io.StringIO()
        screen, slow = Screen(output), under_way("Tryton's packages", 3, 15)

        screen.show([slow, under_way("Valkey", 0.1, 1)])
        screen.show([slow])

        assert output.getvalue() == "      ...  Tryton's packages (takes about 15 s)\n"

    def test_draws_a_bar_on_a_terminal_and_takes_it_away_again(self) -> None:
        terminal = Terminal()
        screen = Screen(terminal)

        screen.show([under_way("Tryton's packages", 5, 10)])
        assert "█" * 12 + "░" * 12 in terminal.getvalue()
        screen.say("done")

        assert terminal.getvalue().endswith("\x1b[1A\x1b[Jdone\n")

    def test_is_never_full_before_the_end(self) -> None:
        terminal = Terminal()

        Screen(terminal).show([under_way("Tryton's packages", 500, 10)])

        assert "░" in terminal.getvalue()
