"""What `cosegnet NAME` can be: the module of each name has its usage, its flags and its `main`.

Only the module of the command that runs is imported: flags are global, and commands share names of them.
"""

# What `cosegnet` says of each.
COMMANDS = {
    'predict': 'find what photos have in common',
    'serve': 'the same on a web page',
    'train': 'train a network',
    'eval': "evaluate a run, or make the paper's tables of many",
    'sweep': 'train and evaluate variants of a config on several splits',
    'export': 'write a trained network as files that others can load',
    'benchmark': 'measure speed and memory',
}
