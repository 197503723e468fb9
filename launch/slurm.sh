#!/usr/bin/env bash
# Trains on GPUs of several nodes of a Slurm cluster. Not yet run on one.
#
#   sbatch launch/slurm.sh --config=configs/pascal_voc.py --workdir=/shared/runs/pascal \
#       --config.train.batch_triplets=256 --config.loss.batch_reduction=mean
#
# Submit from the repository, on a disk that all nodes share, with an environment in .venv that has
# `pip install -e '.[train,cuda]'`. Prepared data and the run belong on a shared disk, too.
#SBATCH --job-name=cosegnet
#SBATCH --nodes=2
#SBATCH --gpus-per-node=8
#SBATCH --ntasks-per-node=8   # one a GPU: under Slurm, JAX gives a process the one GPU of its number
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --requeue             # a preempted job starts again and goes on from its last checkpoint
#SBATCH --signal=TERM@120     # time to save a checkpoint before the limit
set -euo pipefail

# JAX finds the other processes by Slurm's variables.
srun --kill-on-bad-exit=1 .venv/bin/python train.py "$@"
