#!/bin/sh
# The tutorial's steps as a student types them, one after another, with everything in the home: conda, an environment,
# torch, git, the test on gpu2. Only what the tutorial leaves open is filled in (versions, no questions asked). Read by
# bench/first_apply.py, which sets INSTALLER CHANNEL PYTHON TORCH TORCH_INDEX GIT and runs it on admin1.
# shellcheck disable=SC2153  # in capitals: from the environment
set -eu

step() { printf 'step %s %s\n' "$(date +%s.%N)" "$1"; }

step 'download the installer'
mkdir -p ~/miniconda3
wget -q "$INSTALLER" -O ~/miniconda3/miniconda.sh
step 'install conda'
bash ~/miniconda3/miniconda.sh -b -u -p ~/miniconda3
rm -rf ~/miniconda3/miniconda.sh
# The tutorial's `source ~/.bashrc` initialises nothing; this is what its readers come to do.
# shellcheck disable=SC1090  # it has just been made
. ~/miniconda3/etc/profile.d/conda.sh
conda --version

step 'create the environment'
conda create -y -q -n torch -c "$CHANNEL" --override-channels "python=$PYTHON" pip
conda activate torch

step 'pip install torch'
pip3 install -q "torch==$TORCH" --index-url "$TORCH_INDEX"

step 'download git'
wget -q "$GIT"
tarball=${GIT##*/}
tar -xf "$tarball"
cd "${tarball%.tar.*}"
step 'make configure'
[ -f configure ] || make configure
step 'configure git'
./configure --prefix="$HOME/git"
step 'make'
make
step 'make install'
make install
cd
# Expanded once, as the tutorial has it.
echo "export PATH=$HOME/git/bin:$PATH" >>~/.bashrc

step 'test on gpu2'
ssh gpu2 "$HOME/git/bin/git" --version
ssh gpu2 "$HOME/miniconda3/envs/torch/bin/python" - <<'END'
import torch
a = torch.randn(1024, 1024)
print(torch.__version__, (a @ a).sum().item())
END
step 'end'
