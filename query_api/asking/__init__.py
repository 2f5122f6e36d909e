"""What every subject needs: what may be asked, how the store is asked, what answers, pages and errors look like."""
