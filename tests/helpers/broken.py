"""Studies with one mistake each."""

from tests.study.conftest import DEVICE, HEAD, RULE

CHIP = """
import torch
from analogff import Device
from analogff.device import Datasheet

class Chip(Device):
    def __init__(self, n_in, n_out, *, seed, gain: float = 1.0):
        super().__init__(n_in, n_out)
        if gain > 5:
            raise RuntimeError("the fuse blew")
        self.gain = gain
    def measure(self, x):
        return torch.tanh(self.gain * x)

class NoDevice:
    pass

class Impatient(Chip):
    def wait(self, seconds):
        raise RuntimeError("no time")

class Unset(Device):
    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, datasheet=Datasheet(n_in=n_in, n_out=n_out, neuron=torch.tanh, bias_port=True))
        self.register_buffer("weights", torch.zeros(n_out, n_in))
    def measure(self, x, bias=None):
        return torch.tanh(x @ self.weights.T + (0 if bias is None else bias))
    def pulse(self, change):
        self.weights += change
"""
LATE = """
from analogff.rules.backprop import Backprop

class Late(Backprop):
    schedule = classmethod(lambda cls, options: "sometime")
"""
FORWARD = '\n[[rule]]\nname = "forward-forward"\n'
MINE = '[device]\nmodel = "mine.py:Chip"\n'
FILES = {"mine.py": CHIP}


def head(old: str, new: str) -> dict:
    assert old in HEAD
    return {"head": HEAD.replace(old, new)}


def life(event: str) -> dict:
    return {"sweep": f"\n[[event]]\n{event}\n"}


BROKEN = {
    # name: (parts of the file, where, what was got, what is expected, nearest right name)
    "zero layers": (head("[8]", "[]"), "layers:", "[]", "at least 1 item", None),
    "negative width": (head("[8]", "[8, -3]"), "layers.1:", "-3", "greater than or equal to 1", None),
    "width is a text": (head("[8]", '["8"]'), "layers.0:", '"8"', "a whole number", None),
    "layers is a number": (head("[8]", "8"), "layers:", "8", "a list", None),
    "epochs is a text": (head("epochs = 1", 'epochs = "1"'), "epochs:", '"1"', "a whole number", None),
    "epochs is a truth value": (head("epochs = 1", "epochs = true"), "epochs:", "true", "a whole number", None),
    "no epochs": (head("epochs = 1", ""), "epochs:", "nothing", "a value", None),
    "unknown field": (head("epochs", "epoch"), "epoch:", '"epoch"', "a field of a study", "epochs"),
    "events are one table": ({"sweep": '[event]\ndo = "wait"\n'}, "event:", '{"do": "wait"}', "[[event]] tables", None),
    "an event that does nothing": (life("seconds = 3"), "event.0.do:", "null", "one of train, wait", None),
    "an unknown kind of event": (life('do = "wate"'), "event.0.do:", '"wate"', "a kind of event", "wait"),
    "an event's unknown field": (
        life('do = "wait"\nseconds = 3\nsecond = 3'),
        "event.0.second:",
        '"second"',
        'an event that does "wait"',
        "seconds",
    ),
    "a wait without a time": (life('do = "wait"'), "event.0.seconds:", "nothing", "a value", None),
    "a wait until later": (
        life('do = "wait"\nseconds = "later"'),
        "event.0.seconds:",
        '"later"',
        "seconds, or a",
        None,
    ),
    "training on nothing": (life('do = "train"'), "event.0:", "neither", "images or epochs", None),
    "training on both": (
        life('do = "train"\nimages = 3\nepochs = 1'),
        "event.0.epochs:",
        "1",
        "images or epochs",
        None,
    ),
    "a rate that is a text": (
        life('do = "train"\nimages = 3\nrule = { learning_rate = "low" }'),
        "event.0.rule.learning_rate:",
        '"low"',
        "a number",
        None,
    ),
    "another rule that programs": (
        life('do = "train"\nimages = 3\nrule = { name = "backprop" }') | {"rule": FORWARD},
        "event.0.rule:",
        "which programs them",
        "the weights as they are",
        None,
    ),
    "a set option of a rule": (
        life('do = "set"\npath = "rule.learning_rate"\nvalue = 1.0'),
        "event.0.path:",
        '"rule.learning_rate"',
        "the path of a device parameter",
        None,
    ),
    "an unknown parameter that is set": (
        life('do = "set"\npath = "device.read_nose"\nvalue = 1.0'),
        "event.0.value:",
        '"read_nose"',
        "a parameter",
        "read_noise",
    ),
    "a parameter that is set out of range": (
        life('do = "set"\npath = "device.read_noise"\nvalue = -1.0'),
        "event.0.value:",
        "-1.0",
        "greater than or equal to 0",
        None,
    ),
    "nothing to repeat": (life('do = "repeat"\ntimes = 3'), "event.0.event:", "none", "events to repeat", None),
    "a mistake within a repeat": (
        life('do = "repeat"\ntimes = 3\n[[event.event]]\ndo = "wait"'),
        "event.0.event.0.seconds:",
        "nothing",
        "a value",
        None,
    ),
    "a copy to nowhere": (life('do = "copy"'), "event.0.to:", "nothing", "a value", None),
    "no chips": (head("chips = 2", "chips = 0"), "chips:", "0", "a number of chips, at least 1", None),
    "the same chip twice": (head("chips = 2", "chips = [1, 1]"), "chips:", "[1, 1]", "different chip seeds", None),
    "seeds is a number": ({"more": "seeds = 3\n"}, "seeds:", "3", "a list of different whole numbers", None),
    "unknown head": ({"more": 'head = "digitl"\n'}, "head:", '"digitl"', "'digital' or 'device'", "digital"),
    "NaN of a field": ({"more": "wait_seconds = nan\n"}, "wait_seconds:", "nan", "a finite number", None),
    "negative wait": ({"more": "wait_seconds = -1.0\n"}, "wait_seconds:", "-1.0", "greater than or equal", None),
    "gain of no gain control": (
        {"more": "agc_max_gain = 10.0\n"},
        "agc_max_gain:",
        "10.0",
        'normalization = "gain-control" beside it',
        None,
    ),
    "unknown normalization": (
        {"more": 'normalization = "l1"\n'},
        "normalization:",
        '"l1"',
        "'l2', 'layer', 'group', 'none'",
        "l2",
    ),
    "jitter beyond the image": ({"more": "jitter = 8\n"}, "jitter:", "8", "fewer pixels than the 8", None),
    "jitter of half a pixel": ({"more": "jitter = 0.5\n"}, "jitter:", "0.5", "a whole number", None),
    "unknown dataset": (head('"digits"', '"digit"'), "dataset:", "digit", "data set, a folder or a file", "digits"),
    "too many images": (head("images = 200", "images = 99999"), "train_images:", "99999", "at most the", None),
    "no device": ({"device": ""}, "device:", "nothing", "a [device] table", None),
    "unknown device": (
        {"device": '[device]\nmodel = "unknwon"\n'},
        "device.model:",
        "unknwon",
        "a registered",
        "unknown",
    ),
    "negative noise": (
        {"device": DEVICE + "read_noise = -0.1\n"},
        "device.read_noise:",
        "-0.1",
        "greater than or equal",
        None,
    ),
    "NaN of a device": (
        {"device": DEVICE + "read_noise = nan\n"},
        "device.read_noise:",
        "nan",
        "a finite number",
        None,
    ),
    "infinite mismatch": ({"device": DEVICE + "mismatch = inf\n"}, "device.mismatch:", "inf", "a finite number", None),
    "unknown parameter": (
        {"device": DEVICE + "read_nose = 0.1\n"},
        "device.read_nose:",
        "read_nose",
        "a parameter of",
        "read_noise",
    ),
    "noise is a text": ({"device": DEVICE + 'read_noise = "low"\n'}, "device.read_noise:", '"low"', "a number", None),
    "unknown family": (
        {"device": DEVICE + 'family = "sigmoidal"\n'},
        "device.family:",
        '"sigmoidal"',
        "'saturating'",
        "sigmoid",
    ),
    "two devices for one layer": (
        {"device": DEVICE.replace("[device]", "[[device]]") * 2},
        "device:",
        "2",
        "1 [[device]] tables",
        None,
    ),
    "no such file": (
        {"device": '[device]\nmodel = "mien.py:Chip"\n', "files": FILES},
        "device.model:",
        "mien.py",
        "a file of Python",
        "mine.py",
    ),
    "no such class": (
        {"device": '[device]\nmodel = "mine.py:Chop"\n', "files": FILES},
        "device.model:",
        "'Chop'",
        "a class of mine.py",
        "Chip",
    ),
    "no device class": (
        {"device": '[device]\nmodel = "mine.py:NoDevice"\n', "files": FILES},
        "device.model:",
        "NoDevice",
        "derived from",
        None,
    ),
    "no such module": (
        {"device": '[device]\nmodel = "nowhere.at_all:Chip"\n'},
        "device.model:",
        "ModuleNotFoundError",
        "to import",
        None,
    ),
    "file that raises": (
        {"device": MINE, "files": {"mine.py": "1 / 0\n"}},
        "device.model:",
        "ZeroDivisionError: division by zero (mine.py, line 1)",
        "mine.py to import",
        None,
    ),
    "file with a syntax error": (
        {"device": MINE, "files": {"mine.py": "x = 1\ndef f(:\n"}},
        "device.model:",
        "(mine.py, line 2)",
        "to import",
        None,
    ),
    "constructor that raises": (
        {"device": MINE + "gain = 6.0\n", "files": FILES},
        "device:",
        "RuntimeError: the fuse blew (mine.py, line 10)",
        "to make a chip",
        None,
    ),
    "empty name": (head('"tiny"', '""'), "name:", '""', "a text with at least 1 character", None),
    "no rule": ({"rule": ""}, "rule:", "nothing", "at least one [[rule]] table", None),
    "rule is no list": ({"rule": RULE.replace("[[rule]]", "[rule]")}, "rule:", "backprop", "[[rule]]", None),
    "unknown rule": (
        {"rule": '[[rule]]\nname = "forward-foward"\n'},
        "rule.0.name:",
        "forward-foward",
        "a registered rule",
        "forward-forward",
    ),
    "label that is no text": ({"rule": RULE + "label = 1\n"}, "rule.0.label:", "1", "a text", None),
    "empty label": ({"rule": RULE + 'label = " "\n'}, "rule.0.label:", '" "', "a text", None),
    "label given twice": (
        {"rule": RULE + 'label = "x"\n' + RULE + 'batch = 50\nlabel = "x"\n'},
        "rule.1.label:",
        '"x"',
        "another label",
        None,
    ),
    "nameless rule": ({"rule": "[[rule]]\nbatch = 10\n"}, "rule.0.name:", "nothing", "a name", None),
    "unknown option": (
        {"rule": RULE + 'throgh = "twin"\n'},
        "rule.0.throgh:",
        "throgh",
        "an option of backprop",
        "through",
    ),
    "wrong option": (
        {"rule": RULE * 2 + 'through = "twins"\n'},
        "rule.1.through:",
        '"twins"',
        "'twin', 'fitted', 'probed', 'deployed' or 'oracle'",
        "twin",
    ),
    "more held out than there is": (
        head("validation_images = 50", "validation_images = 1400"),
        "train_images:",
        "train_images=200 and validation_images=1400 besides",
        "at most the 1437 training images of digits",
        None,
    ),
    "pixels above the scale": (
        head("epochs = 1", "epochs = 1\nscale = 0.5"),
        "scale:",
        "some up to 1",
        "digits with numbers up to its scale, 0.5",
        None,
    ),
    "a scale that is none": (head("epochs = 1", "epochs = 1\nscale = 0"), "scale:", "0", "a number", None),
    "images where a table should be": (
        head("epochs = 1", 'epochs = 1\nscale = "columns"'),
        "scale:",
        "(1437, 8, 8) in digits",
        'a table (n, columns) beside scale = "columns"',
        None,
    ),
    "fields of another image": (
        {"device": '[device]\nmodel = "local-fields(ideal)"\nfield = 2\nheight = 4\n'},
        "device:",
        "channels = 1, height = 4, before = 0",
        "channels = 1, height = 8, before = 0, as 1 x 8 x 8 images",
        None,
    ),
    "a head that hears no layer": (
        {"rule": '[[rule]]\nname = "unsupervised-forward-forward"\nhead_from = 3\n'},
        "rule:",
        "3",
        "head_from to be one of the 1 layers",
        None,
    ),
    "an order of too few layers": (
        {"rule": '[[rule]]\nname = "forward-forward"\nslope = "assumed"\norder = "greedy"\n'},
        "rule:",
        "1, which would learn all at once",
        'at least 2 hidden layers for order = "greedy"',
        None,
    ),
    "a layer narrower than the classes": (
        {"rule": '[[rule]]\nname = "competitive-forward"\nslope = "assumed"\n'},
        "rule:",
        "8",
        "at least 10 neurons in layer 1, one a class",
        None,
    ),
    "a head that nobody reads": (
        {"more": 'head = "device"\n', "rule": '[[rule]]\nname = "mono-forward"\nslope = "assumed"\n'},
        "head:",
        '"device"',
        '"digital" beside rules that have no use for a head',
        None,
    ),
    "a clock of passes for rules with one": (
        {"more": 'clock = "pass"\n', "rule": RULE + '[[rule]]\nname = "forward-forward"\norder = "pipelined"\n'},
        "clock:",
        '"pass"',
        '"step" beside rules with passes of one kind',
        None,
    ),
    "a swept clock that alternates what cannot": (
        {"rule": '[[rule]]\nname = "weight-perturbation"\n', "sweep": '[sweep]\nclock = ["pass", "interleaved"]\n'},
        "sweep.clock:",
        '"interleaved"',
        '"pass" beside rules with passes that cannot alternate',
        None,
    ),
    "a clock that does not tick": ({"more": 'clock = "image"\n'}, "clock:", "image", "interleaved", None),
    "a pipeline without converters": (
        {"device": DEVICE + "[pipeline]\nadcs_per_tile = 0\n"},
        "pipeline.adcs_per_tile:",
        "0",
        "greater than or equal to 1",
        None,
    ),
    "a misspelt resource of the pipeline": (
        {"device": DEVICE + "[pipeline]\nbufer_vectors = 2\n"},
        "pipeline.bufer_vectors:",
        "bufer_vectors",
        "a field of [pipeline]",
        "buffer_vectors",
    ),
    "negative rate": (
        {"rule": RULE + "learning_rate = -0.1\n"},
        "rule.0.learning_rate:",
        "-0.1",
        "greater than or equal to 0",
        None,
    ),
    "the same rule twice": ({"rule": RULE * 2}, "rule:", "the same run twice", "runs that differ", None),
    "a rule of a file that is not there": (
        {"rule": '[[rule]]\nname = "hebb.py:Hebb"\n'},
        "rule.0.name:",
        "hebb.py, which is not there",
        "a file of Python",
        None,
    ),
    "a rule whose schedule nobody knows": (
        {"rule": '[[rule]]\nname = "rule.py:Late"\n', "files": {"rule.py": LATE}},
        "rule.0:",
        "schedule returned 'sometime', which is no Schedule of analogff.timing",
        "rule.py:Late to say what it needs and its schedule",
        None,
    ),
    "a device that cannot wait": (
        {"device": '[device]\nmodel = "mine.py:Impatient"\n', "files": FILES},
        "device:",
        "RuntimeError: no time",
        "to make a chip that can be used",
        None,
    ),
    "backprop on a chip that cannot be programmed": (
        {"device": '[device]\nmodel = "mine.py:Unset"\n', "files": FILES, "rule": RULE},
        "rule.0:",
        "mine.py:Unset: its class does not override program. Override program(weights) in its class",
        'a device that can be programmed, since backprop (through = "twin") begins from known weights',
        None,
    ),
    "rule sees more than the device shows": (
        {"device": MINE, "files": FILES, "rule": RULE},
        "rule.0:",
        "mine.py:Chip: its datasheet prints no neuron curve",
        "shows TWIN, which backprop",
        None,
    ),
    "empty axis": (
        {"sweep": '[sweep]\n"device.mismatch" = []\n'},
        "sweep.device.mismatch:",
        "[]",
        "at least one value",
        None,
    ),
    "axis is a number": (
        {"sweep": '[sweep]\n"device.mismatch" = 0.1\n'},
        "sweep.device.mismatch:",
        "0.1",
        "a list",
        None,
    ),
    "value twice": (
        {"sweep": '[sweep]\n"device.mismatch" = [0.1, 0.2, 0.1]\n'},
        "sweep.device.mismatch:",
        "0.1 more than once",
        "different values",
        None,
    ),
    "duplicate axis": (
        {"sweep": '[sweep]\n"device.mismatch" = [0.1]\n"device.mismatch" = [0.2]\n'},
        "study.toml:",
        "overwrite",
        "valid TOML",
        None,
    ),
    "axis nowhere": (
        {"sweep": '[sweep]\n"devise.mismatch" = [0.1]\n'},
        "sweep.devise.mismatch:",
        '"devise"',
        "a field of a study",
        "device",
    ),
    "axis of an unknown parameter": (
        {"sweep": "[sweep]\ndevice.mismach = [0.1, 0.2]\n"},
        "sweep.device.mismach:",
        "mismach",
        "a parameter of",
        "mismatch",
    ),
    "axis of no rule's option": (
        {"sweep": '[sweep]\n"rule.learning_rat" = [0.1]\n'},
        "sweep.rule.learning_rat:",
        '"learning_rat"',
        "an option of a rule",
        "learning_rate",
    ),
    "axis of a rule that is not there": (
        {"sweep": '[sweep]\n"rule.3.learning_rate" = [0.1]\n'},
        "sweep.rule.3.learning_rate:",
        '"3"',
        "an index from 0 to 0",
        None,
    ),
    "bad value in an axis": (
        {"sweep": '[sweep]\n"device.mismatch" = [0.1, -0.2]\n'},
        "sweep.device.mismatch:",
        "-0.2",
        "greater than or equal",
        None,
    ),
    "NaN in an axis": (
        {"sweep": '[sweep]\n"device.mismatch" = [0.1, nan]\n'},
        "sweep.device.mismatch.1:",
        "nan",
        "a finite number",
        None,
    ),
    "bad only at one point": (
        {
            "device": '[device]\nmodel = "unknown"\nmismatch = 0.1\n',
            "sweep": '[sweep]\n"device.model" = ["unknown", "ideal"]\n',
        },
        "device.mismatch:",
        '"mismatch" (where device.model = "ideal")',
        "a parameter of Ideal",
        None,
    ),
    "sweep of chips": (
        {"sweep": "[sweep]\nchips = [1, 2]\n"},
        "sweep.chips:",
        '"chips"',
        "a path that can be swept",
        None,
    ),
    "ten million points": (
        {
            "sweep": f'[sweep]\n"device.mismatch" = {[n / 1e4 for n in range(2500)]}\n"device.read_noise" = {[n / 1e4 for n in range(2000)]}\n'
        },
        "sweep:",
        "10,000,000",
        "at most 100,000 runs",
        None,
    ),
    "not TOML": ({"more": "what is this\n"}, "study.toml:", "line", "valid TOML", None),
}
