vim.g.mapleader = " "
