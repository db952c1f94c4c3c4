mkdir -p upstream/ohmyzsh/templates upstream/ohmyzsh/themes upstream/zsh-autosuggestions
printf 'export ZSH\n' >upstream/ohmyzsh/templates/zshrc.zsh-template
printf 'PROMPT=x\n' >upstream/ohmyzsh/themes/agnoster.zsh-theme
printf 'suggest\n' >upstream/zsh-autosuggestions/zsh-autosuggestions.plugin.zsh
for each in ohmyzsh zsh-autosuggestions; do
  (cd upstream/$each && git init -q -b master . && git add . && git commit -q -m first)
done
