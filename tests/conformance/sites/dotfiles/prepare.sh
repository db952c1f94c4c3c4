mkdir -p upstream/dotfiles
cd upstream/dotfiles
printf "alias ll='ls -l'\n" >.bash_aliases
printf 'set completion-ignore-case on\n' >.inputrc
printf 'set number\n' >.vimrc
git init -q -b master .
git add .
git commit -q -m 'My files'
