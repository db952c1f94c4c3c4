mkdir -p served tmux-3.4
cat >tmux-3.4/configure <<'EOF'
#!/bin/sh
for word; do case $word in --prefix=*) prefix=${word#--prefix=} ;; esac; done
sed "s|@prefix@|$prefix|" Makefile.in >Makefile
EOF
cat >tmux-3.4/Makefile.in <<'EOF'
prefix = @prefix@
tmux:
	printf '#!/bin/sh\necho tmux 3.4\n' >tmux && chmod 755 tmux
install: tmux
	install -m 755 tmux $(prefix)/bin/tmux
EOF
chmod 755 tmux-3.4/configure
tar --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner -czf served/tmux-3.4.tar.gz tmux-3.4
rm -r tmux-3.4
