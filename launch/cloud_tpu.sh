#!/usr/bin/env bash
# Trains on a Cloud TPU slice, from your own machine. Not yet run on one.
#
#   NAME=cosegnet ZONE=us-west4-a SHARED=/mnt/shared launch/cloud_tpu.sh --config=configs/pascal_voc.py \
#       --workdir=/mnt/shared/runs/pascal --config.train.batch_triplets=256 --config.loss.batch_reduction=mean
#
# SHARED is a folder that every host has mounted, such as Filestore: the code is copied there, and the prepared
# data and the run belong there, too, since all hosts read the one and write the checkpoints of the other.
# The slice is left standing; run again to go on where training stopped.
set -euo pipefail
: "${NAME:?}" "${ZONE:?}" "${SHARED:?}"
TYPE=${TYPE:-v5litepod-16}               # v5e counts chips; v5p-32 counts cores, two to a chip
VERSION=${VERSION:-v2-alpha-tpuv5-lite}  # v2-alpha-tpuv5 for v5p

tpu() { gcloud compute tpus tpu-vm "$1" "$NAME" --zone="$ZONE" "${@:2}"; }

tpu describe > /dev/null 2>&1 || tpu create --accelerator-type="$TYPE" --version="$VERSION"
git archive HEAD | tpu ssh --worker=0 --command="mkdir -p $SHARED/cosegnet && tar -x -C $SHARED/cosegnet"
# The environment is on each host's own disk, for importing JAX from a network disk takes minutes; uv brings a
# Python, for that of the image may be older than 3.11.
tpu ssh --worker=all --command="pip install -q --user uv && ~/.local/bin/uv venv -q --python=3.12 ~/venv &&
    ~/.local/bin/uv pip install -q --python ~/venv '$SHARED/cosegnet[train,tpu]'"
# The same command on every host at the same time; JAX finds the other hosts by itself.
tpu ssh --worker=all --command="cd $SHARED/cosegnet && ~/venv/bin/python train.py ${*@Q}"
